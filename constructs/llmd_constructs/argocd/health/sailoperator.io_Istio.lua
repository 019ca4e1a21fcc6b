-- The Sail operator's conditions. istiod takes a while to start; anything else that is False is a failure.
-- Reasons: api/v1/istio_types.go of sail-operator 1.27.
local waiting = { ActiveRevisionNotFound = true, IstiodNotReady = true }
local health = { status = "Progressing", message = "Waiting for the Sail operator" }
local status = obj.status or {}
if (status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return health
end
for _, condition in ipairs(status.conditions or {}) do
  local message = condition.type .. ": " .. (condition.reason or "") .. ": " .. (condition.message or "")
  if condition.status == "False" and not waiting[condition.reason] then
    return { status = "Degraded", message = message }
  elseif condition.type == "Ready" and condition.status == "True" then
    health = { status = "Healthy", message = "istiod is ready" }
  elseif condition.status == "False" then
    health.message = message
  end
end
return health
