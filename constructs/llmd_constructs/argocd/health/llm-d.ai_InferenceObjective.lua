-- The endpoint picker reads objectives and never writes a status. The API server may fill in `Pending`,
-- which nobody clears.
local health = { status = "Healthy", message = "Applied" }
for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.status == "False" then
    health.status = "Degraded"
    health.message = (condition.reason or "") .. ": " .. (condition.message or "")
  end
end
return health
