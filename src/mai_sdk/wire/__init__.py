"""What goes over the wire: bytes in, values out. Nothing in this package does I/O."""
