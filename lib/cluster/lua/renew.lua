-- Extends the locks that are the caller's, each for its lease. Never takes one: what is missing stays missing.
--
-- KEYS     the locks
-- ARGV[1]  their time, ms
-- ARGV[2]  the holder, a `#`, and the number of the lease of the first lock; ARGV[3] of the second, and so on
--
-- Output: one number a lock, in order: 1 renewed, 0 missing (Redis forgot it, or it expired), -1 lost (another's)
local outcomes = {}
for index, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if not value then
    outcomes[index] = 0
  elseif value ~= ARGV[index + 1] then
    outcomes[index] = -1
  else
    redis.call('PEXPIRE', key, ARGV[1])
    outcomes[index] = 1
  end
end
return outcomes
