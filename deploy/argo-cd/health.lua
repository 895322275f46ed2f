-- Health of a BronzePipeline for Argo CD, from its conditions. Lag is no matter of health: see the condition CaughtUp.
local function health(status, message)
  return { status = status, message = message }
end

local status = obj.status
if status == nil or status.conditions == nil then
  return health("Progressing", "the operator has not looked yet")
end
if status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not seen the newest spec yet")
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local function is(name, value)
  return conditions[name] ~= nil and conditions[name].status == value
end
local ready = conditions.Ready or { status = "Unknown", reason = "", message = "" }

if is("Stalled", "True") then
  return health("Degraded", conditions.Stalled.message)
end
if ready.reason == "Suspended" or ready.reason == "Planned" then
  return health("Suspended", ready.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
-- Trouble outside passes by itself, or does not: nothing is being changed meanwhile.
for _, name in ipairs({ "SourceReachable", "SinkReachable" }) do
  if is(name, "False") then
    return health("Degraded", conditions[name].message)
  end
end
local passes = { Progressing = true, Suspending = true }
if is("Reconciling", "True") or ready.status == "Unknown" or passes[ready.reason] then
  return health("Progressing", ready.message)
end
return health("Degraded", ready.message)
