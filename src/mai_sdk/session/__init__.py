"""The state machines of live sessions. Pure: no socket, no clock, no loop."""
