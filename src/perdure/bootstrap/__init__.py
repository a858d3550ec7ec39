"""Settings, and the only wiring of concrete parts: the server's and the worker's apart."""
