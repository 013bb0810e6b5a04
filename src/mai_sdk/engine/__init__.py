"""One call, from request to receipt."""
