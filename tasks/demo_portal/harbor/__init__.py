"""Harbor Fiber Cooperative: a second fictional customer, whose "Crew Desk" is one page drawn by script over a JSON API.

`site` puts it together · `session` signs in · `closeouts` are drafts, their photos and the send request · `fields` says
what a section asks for · `store` is its tables · `static` holds the page. It has no look-up and takes every duplicate.
"""

from tasks.demo_portal.harbor.site import harbor_router

__all__ = ["harbor_router"]
