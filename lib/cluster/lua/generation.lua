-- The generation of the data: random, made by whoever asks first, lost together with the data.
--
-- KEYS[1]  the generation
-- ARGV[1]  the one to set when there is none
--
-- Output: the generation
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
