#include "registry/scripts.h"

#include "registry/layout.h"

namespace weir::registry {
namespace {

constexpr const char* kCommon = R"(
local function field(key, name)
  if redis.call('TYPE', key).ok ~= 'hash' then return false end
  return redis.call('HGET', key, name)
end
local function say(channel, id, key)
  local state = field(key, 'state') or 'gone'
  local drain = field(key, 'drain')
  if drain and drain ~= '' then state = 'draining' end
  redis.call('PUBLISH', channel, id .. ' ' .. state)
end
)";

// KEYS: the nodes by ID, then the earlier IDs. ARGV: channel, instance, addr, lease, patient,
// fields
constexpr const char* kTake = R"(
local channel, instance, addr, lease, patient = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local earlier_key = KEYS[#KEYS]
local count = #KEYS - 1
local function take(id)
  local key = KEYS[id + 1]
  redis.call('HSET', key, 'instance', instance, unpack(ARGV, 6))
  redis.call('PEXPIRE', key, lease)
  redis.call('HSET', earlier_key, addr, id)
  redis.call('PEXPIRE', earlier_key, 604800000)
  say(channel, id, key)
  return {'taken', id}
end
for id = 0, count - 1 do
  if field(KEYS[id + 1], 'instance') == instance then return take(id) end
end
local earlier = tonumber(field(earlier_key, addr) or '')
if earlier and earlier >= 0 and earlier < count and earlier % 1 == 0 then
  local key = KEYS[earlier + 1]
  if redis.call('EXISTS', key) == 0 then return take(earlier) end
  if patient == '1' and field(key, 'addr') == addr then
    return {'wait', earlier, redis.call('PTTL', key)}
  end
end
for id = 0, count - 1 do
  if redis.call('EXISTS', KEYS[id + 1]) == 0 then return take(id) end
end
local full = {'full'}
for id = 0, count - 1 do
  local key = KEYS[id + 1]
  table.insert(full, {id, field(key, 'addr') or '', field(key, 'state') or '',
                      field(key, 'instance') or ''})
end
return full
)";

// KEYS: the node. ARGV: channel, instance, ID, lease, changed, fields
constexpr const char* kKeep = R"(
local key, channel, instance, id, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local exists = redis.call('EXISTS', key) == 1
if exists and field(key, 'instance') ~= instance then
  return {'held', field(key, 'instance') or '', field(key, 'addr') or ''}
end
if not exists or ARGV[5] == '1' then
  redis.call('HSET', key, 'instance', instance, unpack(ARGV, 6))
  say(channel, id, key)
end
redis.call('PEXPIRE', key, lease)
return {exists and 'kept' or 'retaken', field(key, 'drain') or ''}
)";

// KEYS: the node. ARGV: channel, instance (empty: whoever has it), ID
constexpr const char* kRelease = R"(
local holder = field(KEYS[1], 'instance')
if ARGV[2] ~= '' and holder ~= ARGV[2] then return 0 end
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
say(ARGV[1], ARGV[3], KEYS[1])
return 1
)";

// KEYS: the node. ARGV: channel, 1 or 0, ID
constexpr const char* kDrain = R"(
if not field(KEYS[1], 'instance') then return 0 end
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'drain', '1')
else
  redis.call('HDEL', KEYS[1], 'drain')
end
say(ARGV[1], ARGV[3], KEYS[1])
return 1
)";

std::string eval(const char* script, const std::vector<std::string>& keys,
                 const std::vector<std::string>& arguments, const Fields& fields = {}) {
  std::vector<std::string> words{"EVAL", std::string(kCommon) + script,
                                 std::to_string(keys.size())};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), fields.begin(), fields.end());
  return format_command(words);
}

std::string text(Duration time) { return std::to_string(time.count()); }

}  // namespace

std::string take_command(std::string_view app, const std::string& instance, const std::string& addr,
                         Duration lease, bool patient, const Fields& fields) {
  std::vector<std::string> keys;
  for (std::size_t id = 0; id < kSlots; ++id) keys.push_back(node_key(app, id));
  keys.push_back(earlier_key(app));
  return eval(kTake, keys, {events_channel(app), instance, addr, text(lease), patient ? "1" : "0"},
              fields);
}

std::string keep_command(std::string_view app, std::size_t id, const std::string& instance,
                         Duration lease, bool changed, const Fields& fields) {
  return eval(kKeep, {node_key(app, id)},
              {events_channel(app), instance, std::to_string(id), text(lease), changed ? "1" : "0"},
              fields);
}

std::string release_command(std::string_view app, std::size_t id, const std::string& instance) {
  return eval(kRelease, {node_key(app, id)}, {events_channel(app), instance, std::to_string(id)});
}

std::string force_release_command(std::string_view app, std::size_t id) {
  return release_command(app, id, {});
}

std::string drain_command(std::string_view app, std::size_t id, bool drain) {
  return eval(kDrain, {node_key(app, id)},
              {events_channel(app), drain ? "1" : "0", std::to_string(id)});
}

}  // namespace weir::registry
