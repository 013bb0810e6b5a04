"""A unified client for Microsoft's MAI models."""
