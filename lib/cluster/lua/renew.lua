-- Extends the locks that are the caller's. Never takes one: what is missing stays missing.
--
-- KEYS     the locks
-- ARGV[1]  the holder, `nodeId:incarnation`
-- ARGV[2]  their time, ms
--
-- Output: one number a lock, in order: 1 renewed, 0 missing (Redis forgot it, or it expired), -1 lost (another's)
local outcomes = {}
for index, key in ipairs(KEYS) do
  local holder = redis.call('GET', key)
  if not holder then
    outcomes[index] = 0
  elseif holder ~= ARGV[1] then
    outcomes[index] = -1
  else
    redis.call('PEXPIRE', key, ARGV[2])
    outcomes[index] = 1
  end
end
return outcomes
