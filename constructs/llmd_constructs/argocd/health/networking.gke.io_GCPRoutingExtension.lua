-- GKE attaches the extension to a Gateway and reports on it as a whole or per gateway. It publishes no
-- list of conditions, so any that is False counts; without one, the extension holds up nothing.
local health = { status = "Healthy", message = "No gateway has said anything yet" }
local status = obj.status or {}
local sources = { status }
for _, ancestor in ipairs(status.ancestors or {}) do
  table.insert(sources, ancestor)
end
for _, source in ipairs(sources) do
  for _, condition in ipairs(source.conditions or {}) do
    local message = condition.type .. ": " .. (condition.reason or "") .. ": " .. (condition.message or "")
    local stale = (condition.observedGeneration or obj.metadata.generation) ~= obj.metadata.generation
    if stale or condition.status == "Unknown" then
      health = { status = "Progressing", message = message }
    elseif condition.status == "False" then
      return { status = "Degraded", message = message }
    elseif health.status == "Healthy" then
      health.message = message
    end
  end
end
return health
