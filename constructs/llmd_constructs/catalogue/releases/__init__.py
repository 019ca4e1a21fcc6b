"""What each release of KServe, the endpoint picker, Istio and vLLM can take."""
