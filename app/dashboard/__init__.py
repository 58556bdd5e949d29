"""The dashboard: pages and static ES modules. `headers` holds what every page answer carries, `routes` serves the files.

The pages read the public API and the public event stream only, like anybody's page could.
"""

from app.dashboard.headers import SECURITY_HEADERS
from app.dashboard.routes import router

__all__ = ["SECURITY_HEADERS", "router"]
