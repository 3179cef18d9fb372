-- Claims a lock when it is absent, already the caller's for this lease or an earlier one, or held by somebody who is
-- proven to be gone; then its time begins anew. The value is the holder, a `#`, and the number of the lease.
--
-- KEYS[1]  the lock
-- ARGV[1]  the holder, `nodeId:incarnation`
-- ARGV[2]  the number of the lease
-- ARGV[3]  its time, ms
-- ARGV[4]  the holder that is gone, or an empty string
--
-- Output: {the holder after the call, 1 when it is the caller's lock for this lease or 0}
local value = redis.call('GET', KEYS[1])
if value then
  local holder, lease = string.match(value, '^(.*)#(%d+)$')
  local earlier = holder == ARGV[1] and tonumber(lease) <= tonumber(ARGV[2])
  if not earlier and holder ~= ARGV[4] then
    return { holder, 0 }
  end
end
redis.call('SET', KEYS[1], ARGV[1] .. '#' .. ARGV[2], 'PX', ARGV[3])
return { ARGV[1], 1 }
