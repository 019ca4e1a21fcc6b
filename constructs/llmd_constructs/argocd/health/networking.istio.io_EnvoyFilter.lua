-- istiod writes a status only where its analysis is switched on, so none is fine; an error it found is not.
local health = { status = "Healthy", message = "Applied" }
for _, found in ipairs((obj.status or {}).validationMessages or {}) do
  if found.level == "ERROR" then
    health.status = "Degraded"
    health.message = found.type.code .. " " .. found.type.name .. ": " .. (found.documentationUrl or "")
  end
end
return health
