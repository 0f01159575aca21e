"""Value objects: no JSON, no HTTP."""
