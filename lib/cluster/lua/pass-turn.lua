-- Puts the token of a turn back, for whoever has waited longest, unless it is there already: a turn that ended late,
-- after others had gone on without it, makes no second one.
--
-- KEYS[1]  the list with the token
--
-- Output: 1 when it was put back, 0 when it was there
if redis.call('LLEN', KEYS[1]) > 0 then
  return 0
end
redis.call('RPUSH', KEYS[1], '1')
return 1
