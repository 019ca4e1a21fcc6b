-- Its controller counts ready groups (updateConditions of lws 0.9). It has no word for failure: a group
-- that never starts stays Progressing. Of zero replicas all are ready, so that is Healthy.
local health = { status = "Progressing", message = "Waiting for the controller" }
local status = obj.status or {}
if (status.observedGeneration or obj.metadata.generation) ~= obj.metadata.generation then
  return health
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" and condition.type == "Available" then
    return { status = "Healthy", message = condition.message }
  elseif condition.status == "True" then
    health.message = (condition.reason or "") .. ": " .. (condition.message or "")
  end
end
return health
