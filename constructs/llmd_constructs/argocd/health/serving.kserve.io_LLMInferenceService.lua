-- KServe says why each part is not ready. The reason tells a model that still loads from one that never will.
-- Reasons: pkg/controller/*/llmisvc of KServe 0.16 to 0.20.
local waiting = {
  -- Pods. A Deployment gives up after ten minutes, which KServe cannot change and a TPU often needs.
  MinimumReplicasUnavailable = true,
  ProgressDeadlineExceeded = true,
  Progressing = true,
  -- LeaderWorkerSet: `Available` turns False and keeps the reason it had.
  AllGroupsReady = true,
  -- What other objects and controllers bring.
  RefsInvalid = true,
  GatewaysNotReady = true,
  HTTPRoutesNotReady = true,
  InferencePoolNotReady = true,
  WaitingForGateway = true,
  HPAProgressing = true,
  ScaledObjectProgressing = true,
  FailedGetExternalMetric = true,
}
-- They repeat the reason of a part, or have no part in readiness.
local skipped = {
  Ready = true,
  WorkloadsReady = true,
  RouterReady = true,
  GroupReady = true,
}

-- Node, image, weights, compilation: a TPU takes up to an hour. Times in one form compare as text.
local os = require("os")
local hour_ago = os.date("%Y-%m-%dT%H:%M:%SZ", os.time(os.date("!*t")) - 3600)

local health = { status = "Progressing", message = "Waiting for KServe" }
local status = obj.status or {}
if (status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return health
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" and condition.status == "True" then
    health = { status = "Healthy", message = "The model is served" }
  elseif condition.status == "False" and not skipped[condition.type] then
    local reason = condition.reason or ""
    local message = condition.type .. ": " .. reason .. ": " .. (condition.message or "")
    if reason == "Stopped" then
      health = { status = "Suspended", message = message }
    elseif not waiting[reason] or (condition.lastTransitionTime or "") < hour_ago then
      return { status = "Degraded", message = message }
    elseif health.status == "Progressing" then
      health.message = message
    end
  end
end
return health
