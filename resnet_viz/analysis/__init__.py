"""What can be seen: one module a view, pure functions from a model or a run to rows and arrays."""
