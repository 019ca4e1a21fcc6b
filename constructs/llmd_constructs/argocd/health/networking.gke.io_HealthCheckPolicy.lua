-- GKE's gateway attaches the policy when a route leads to its target. Until then it says nothing, or
-- GatewayNotFound; both are fine, since the policy may come in a wave before the route. TargetNotFound
-- is a pool that KServe has yet to make. Reasons: shared_types.go of gke-gateway-api 1.3.
local health = { status = "Healthy", message = "No gateway uses the target yet" }
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.type == "Attached" and condition.reason ~= "GatewayNotFound" then
    local stale = (condition.observedGeneration or obj.metadata.generation) ~= obj.metadata.generation
    health.message = (condition.reason or "") .. ": " .. (condition.message or "")
    if stale or condition.status == "Unknown" or condition.reason == "TargetNotFound" then
      health.status = "Progressing"
    elseif condition.status == "False" then
      health.status = "Degraded"
    end
  end
end
return health
