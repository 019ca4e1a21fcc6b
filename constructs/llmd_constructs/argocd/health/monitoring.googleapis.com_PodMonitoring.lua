-- Whether managed Prometheus could make a scrape configuration of it, not whether the targets answer.
local health = { status = "Progressing", message = "Waiting for managed Prometheus" }
local status = obj.status or {}
if (status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return health
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "ConfigurationCreateSuccess" then
    health.message = (condition.reason or "Configured") .. ": " .. (condition.message or "")
    if condition.status == "True" then
      health.status = "Healthy"
    elseif condition.status == "False" then
      health.status = "Degraded"
    end
  end
end
return health
