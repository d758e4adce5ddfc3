"""The comparison as a service of other programs: the MCP server."""
