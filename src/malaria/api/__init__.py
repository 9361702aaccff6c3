"""The HTTP face of the system: `app.create_app(services)` puts routes, limits and guards around it."""
