-- Claims a lock like claim.lua, but only while the data is the data that the caller has watched: Redis may forget
-- (flush, failover), and a lock that is absent because of that is not free.
--
-- KEYS[1]  the lock
-- KEYS[2]  the generation
-- ARGV[1]  the holder, `nodeId:incarnation`
-- ARGV[2]  its time, ms
-- ARGV[3]  the generation that the caller saw
--
-- Output: {holder after the call or false, 1 when the generation is another one (nothing was claimed) or 0}
local holder = redis.call('GET', KEYS[1])
if redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return { holder, 1 }
end
if holder and holder ~= ARGV[1] then
  return { holder, 0 }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { ARGV[1], 0 }
