-- An application of an environment, as its root waits for it. Its health alone would not do: that leaves
-- out what is not there yet, so an application with waves of its own is Healthy after the first.
local name, namespace, status = obj.metadata.name, obj.metadata.namespace, obj.status or {}
local tracking = (obj.metadata.annotations or {})["argocd.argoproj.io/tracking-id"]
if tracking == name .. ":argoproj.io/Application:" .. namespace .. "/" .. name then
  -- The root is one of its own objects, and would wait for itself.
  return { status = "Healthy", message = "Manages itself" }
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "ComparisonError" then
    return { status = "Degraded", message = condition.message }
  end
end
local sync, operation = (status.sync or {}).status, status.operationState or {}
local incomplete = sync ~= "Synced" and sync ~= "OutOfSync"
for _, resource in ipairs(status.resources or {}) do
  -- What only waits to be pruned, perhaps for somebody to confirm it, holds up nothing.
  incomplete = incomplete or resource.status == "OutOfSync" and not resource.requiresPruning
end
-- A difference that is still there after a sync is one that no sync removes, and holds up nothing either.
local compared_since = (status.reconciledAt or "") > (operation.finishedAt or "")
if incomplete and not (operation.phase == "Succeeded" and compared_since) then
  local failed = operation.phase == "Failed" or operation.phase == "Error"
  local message = operation.message or "Waiting for the first sync"
  return { status = failed and "Degraded" or "Progressing", message = message }
end
local health = (status.health or {}).status or "Progressing"
if health == "Suspended" then
  -- A model that was stopped on purpose must not hold up the waves after it.
  return { status = "Healthy", message = "Suspended" }
end
return { status = health, message = "" }
