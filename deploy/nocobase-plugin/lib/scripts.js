'use strict';

// What the registry's rules are made of: the server runs each of these whole, so that no two processes
// can ever see the same ID free. KEYS are all in one slot of a Redis Cluster.
//
// A key that is no hash is a foreign one: its ID counts as held.

const COMMON = `
local function field(key, name)
  if redis.call('TYPE', key).ok ~= 'hash' then return false end
  return redis.call('HGET', key, name)
end
local function write(key, instance, lease, first)
  redis.call('HSET', key, 'instance', instance, unpack(ARGV, first))
  redis.call('PEXPIRE', key, lease)
end
local function announce(channel, id, key)
  redis.call('PUBLISH', channel, id .. ' ' .. (field(key, 'state') or 'gone'))
end
`;

// KEYS: the nodes in the order of their IDs, then the hash of earlier IDs.
// ARGV: channel, instance, identity (empty: none to remember), lease in ms, 1 to wait for a predecessor, fields...
// Answers: taken ID | wait ID MS | full (ID ADDR STATE INSTANCE)...
const ALLOCATE = `${COMMON}
local channel, instance, identity, lease, patient = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local memory = KEYS[#KEYS]
local count = #KEYS - 1
local function take(id)
  local key = KEYS[id + 1]
  write(key, instance, lease, 6)
  if identity ~= '' then
    redis.call('HSET', memory, identity, id)
    redis.call('PEXPIRE', memory, 604800000)
  end
  announce(channel, id, key)
  return {'taken', id}
end
for id = 0, count - 1 do
  if field(KEYS[id + 1], 'instance') == instance then return take(id) end
end
local earlier = identity ~= '' and tonumber(field(memory, identity) or '')
if earlier and earlier >= 0 and earlier < count then
  local key = KEYS[earlier + 1]
  if redis.call('EXISTS', key) == 0 then return take(earlier) end
  local holder = field(key, 'instance') or ''
  if patient == '1' and string.sub(holder, 1, #identity + 1) == identity .. '/' then
    return {'wait', earlier, redis.call('PTTL', key)}
  end
end
for id = 0, count - 1 do
  if redis.call('EXISTS', KEYS[id + 1]) == 0 then return take(id) end
end
local full = {'full'}
for id = 0, count - 1 do
  local key = KEYS[id + 1]
  table.insert(full, {id, field(key, 'addr') or '', field(key, 'state') or '', field(key, 'instance') or ''})
end
return full
`;

// Renews, changes, and takes the ID back where the lease ran out and nobody has taken it.
// KEYS: the node. ARGV: channel, instance, ID, lease in ms, fields...
// Answers: kept | retaken | held INSTANCE ADDR
const KEEP = `${COMMON}
local key, channel, instance, id, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local exists = redis.call('EXISTS', key) == 1
if exists and field(key, 'instance') ~= instance then
  return {'held', field(key, 'instance') or '', field(key, 'addr') or ''}
end
local before = field(key, 'state')
write(key, instance, lease, 5)
if field(key, 'state') ~= before then announce(channel, id, key) end
return {exists and 'kept' or 'retaken'}
`;

// KEYS: the node. ARGV: channel, instance, ID.
const RELEASE = `${COMMON}
if field(KEYS[1], 'instance') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
announce(ARGV[1], ARGV[3], KEYS[1])
return 1
`;

module.exports = { ALLOCATE, KEEP, RELEASE };
