-- trust-manager's condition `Synced`: the sources were found, and the targets hold them.
local health = { status = "Progressing", message = "Waiting for trust-manager" }
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  local stale = (condition.observedGeneration or obj.metadata.generation) ~= obj.metadata.generation
  if condition.type == "Synced" and not stale then
    health.message = (condition.reason or "") .. ": " .. (condition.message or "")
    if condition.status == "True" then
      health.status = "Healthy"
    elseif condition.status == "False" then
      health.status = "Degraded"
    end
  end
end
return health
