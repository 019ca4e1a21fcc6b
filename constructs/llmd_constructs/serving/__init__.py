"""What serves a model: engine, KServe service, llm-d workload, endpoint picker, pool, routes."""
