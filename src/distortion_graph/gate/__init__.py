"""The gate: pairs of pictures held against a policy, for build servers, tests and commits."""
