-- Claims a lock when it is absent, already the caller's, or held by somebody who is proven to be gone; then its time
-- begins anew.
--
-- KEYS[1]  the lock
-- ARGV[1]  the holder, `nodeId:incarnation`
-- ARGV[2]  its time, ms
-- ARGV[3]  the holder that is gone, or an empty string
--
-- Output: the holder after the call (it is the caller's lock when this is ARGV[1])
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then
  return holder
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
