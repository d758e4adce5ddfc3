"""The HTTP service: `create_app` in `app`, run by `serve` in `server`."""
