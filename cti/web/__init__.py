"""The API (REST, OpenAPI, one SSE stream for each browser) under /api/v1, and the pages, without a build step."""
