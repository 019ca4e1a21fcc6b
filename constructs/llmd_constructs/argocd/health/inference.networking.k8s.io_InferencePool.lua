-- Every gateway that uses the pool is one of its parents.
-- Without any, the pool is fine: it comes in a wave before its route, and waiting for a gateway
-- would block the very wave that brings one. So a route that is not accepted is no fault of the pool.
local judged = { Accepted = true, ResolvedRefs = true }
local excused = { HTTPRouteNotAccepted = true }
local health = { status = "Healthy", message = "No gateway uses the pool yet" }
for _, parent in ipairs((obj.status or {}).parents or {}) do
  for _, condition in ipairs(parent.conditions or {}) do
    if judged[condition.type] and not excused[condition.reason] then
      local stale = (condition.observedGeneration or obj.metadata.generation) ~= obj.metadata.generation
      local message = (condition.reason or "") .. ": " .. (condition.message or "")
      if condition.status == "False" and not stale then
        return { status = "Degraded", message = parent.parentRef.name .. ": " .. message }
      elseif stale or condition.status == "Unknown" then
        health = { status = "Progressing", message = parent.parentRef.name .. ": " .. message }
      elseif health.status == "Healthy" then
        health.message = "Used by " .. parent.parentRef.name
      end
    end
  end
end
return health
