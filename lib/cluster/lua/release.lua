-- Deletes a lock only if it is the caller's, for this lease.
--
-- KEYS[1]  the lock
-- ARGV[1]  the holder, a `#`, and the number of the lease
--
-- Output: 1 when it was deleted, otherwise 0
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
