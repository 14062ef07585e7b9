local finished = obj.status ~= nil and obj.status.completionTime ~= nil
local suspended = obj.spec.suspend == true
return {
  suspend = {disabled = finished or suspended},
  resume = {disabled = finished or not suspended},
}
