-- Healthy and Degraded when the removal has ended, whatever is changed in its spec afterwards. While it waits for a
-- human it is Progressing, and the message says for what: Suspended would keep a sync waiting without a word.
local health = {status = "Progressing", message = "Waiting for the noderemoval operator"}
if obj.status == nil or obj.status.conditions == nil then
  return health
end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Succeeded" then
    health.message = condition.reason .. ": " .. condition.message
    if condition.status == "True" then
      health.status = "Healthy"
    elseif condition.status == "False" then
      health.status = "Degraded"
    elseif obj.spec.suspend == true then
      health.status = "Suspended"
    elseif obj.status.observedGeneration ~= obj.metadata.generation then
      health.message = "Waiting for the noderemoval operator to see the change"
    end
  end
end
return health
