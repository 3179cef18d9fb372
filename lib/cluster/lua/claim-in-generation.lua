-- Claims a lock like claim.lua, but only while the data is the data that the caller has watched: Redis may forget
-- (flush, failover), and a lock that is absent because of that is not free.
--
-- KEYS[1]  the lock
-- KEYS[2]  the generation
-- ARGV[1]  the holder, `nodeId:incarnation`
-- ARGV[2]  the number of the lease
-- ARGV[3]  its time, ms
-- ARGV[4]  the generation that the caller saw
--
-- Output: {holder after the call or false, 1 when it is the caller's lock for this lease or 0,
--          1 when the generation is another one (nothing was claimed) or 0}
local value = redis.call('GET', KEYS[1])
local holder, lease
if value then
  holder, lease = string.match(value, '^(.*)#(%d+)$')
end
if redis.call('GET', KEYS[2]) ~= ARGV[4] then
  return { holder or false, 0, 1 }
end
if holder and (holder ~= ARGV[1] or tonumber(lease) > tonumber(ARGV[2])) then
  return { holder, 0, 0 }
end
redis.call('SET', KEYS[1], ARGV[1] .. '#' .. ARGV[2], 'PX', ARGV[3])
return { ARGV[1], 1, 0 }
