#include <doctest/doctest.h>

#include <random>

#include "probe/dialogue.h"
#include "probe/grpc_dialogue.h"
#include "probe/hpack.h"
#include "probe/http2_frames.h"

namespace weir::probe {
using upstream::CheckLayer;
using upstream::CheckResult;

namespace {

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return out;
}

std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  std::string out;
  add_frame(out, {.type = type, .flags = flags, .stream = stream, .payload = payload});
  return out;
}

std::string block(const std::vector<HpackField>& fields) {
  std::string out;
  for (const auto& field : fields) hpack_add(out, field.name, field.value);
  return out;
}

// An answer's message: HealthCheckResponse with this status.
std::string serving(char status) {
  const std::string message = status == 0 ? "" : std::string("\x08") + status;
  std::string out(1, '\0');
  add_number(out, static_cast<std::uint32_t>(message.size()));
  return out + message;
}

constexpr std::uint8_t kEnd = frame_flags::end_stream;
constexpr std::uint8_t kWhole = frame_flags::end_headers;

const std::string kSettings = frame(FrameType::settings, 0, 0, "");
const std::string kHead = frame(FrameType::headers, kWhole, 1,
                                block({{":status", "200"}, {"content-type", "application/grpc"}}));
std::string trailers(const std::string& status, const std::string& message = "") {
  std::vector<HpackField> fields{{"grpc-status", status}};
  if (!message.empty()) fields.push_back({"grpc-message", message});
  return frame(FrameType::headers, kWhole | kEnd, 1, block(fields));
}
std::string data(const std::string& bytes) { return frame(FrameType::data, 0, 1, bytes); }

config::HealthCheckConfig grpc_check() {
  config::HealthCheckConfig check;
  check.type = config::CheckType::grpc;
  return check;
}

upstream::PeerSpec some_peer() {
  upstream::PeerSpec peer;
  peer.name = "app:50051";
  return peer;
}

}  // namespace

TEST_CASE("Huffman's code: the examples of RFC 7541") {
  struct Row {
    const char* hex;
    const char* text;
  };
  const Row rows[] = {
      {"f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"},
      {"a8eb10649cbf", "no-cache"},
      {"25a849e95ba97d7f", "custom-key"},
      {"25a849e95bb8e8b4bf", "custom-value"},
      {"6402", "302"},
      {"aec3771a4b", "private"},
      {"d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"},
      {"9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    std::string text;
    CHECK(huffman_read(from_hex(row.hex), text));
    CHECK(text == row.text);
  }
  std::string text;
  CHECK_FALSE(huffman_read(from_hex("1e"), text));        // padding that is not all ones
  CHECK_FALSE(huffman_read(from_hex("6402ff"), text));    // too much of it
  CHECK_FALSE(huffman_read(from_hex("ffffffff"), text));  // the code of the end
}

TEST_CASE("heads: what is written is read, and what RFC 7541 shows") {
  std::vector<HpackField> fields;
  const std::string longer(300, 'x');
  CHECK(hpack_read(block({{"a", "b"}, {"c", ""}, {longer, longer}}), fields));
  REQUIRE(fields.size() == 3);
  CHECK(fields[0].name == "a");
  CHECK(fields[0].value == "b");
  CHECK(fields[1].value.empty());
  CHECK(fields[2].name == longer);
  CHECK(fields[2].value == longer);
  struct Row {
    const char* name;
    const char* hex;
    bool valid;
    std::string fields;
  };
  const Row rows[] = {
      {"an entry of the table", "88", true, ":status=200 "},
      {"a status by the table's name", "48826402", true, ":status=302 "},  // section C.6.1
      {"a literal to be indexed", "400a637573746f6d2d6b65790d637573746f6d2d686561646572", true,
       "custom-key=custom-header "},  // section C.2.1
      {"never to be indexed", "100870617373776f726406736563726574", true, "password=secret "},
      {"another name of the table", "5f106170706c69636174696f6e2f67727063", true,
       "=application/grpc "},
      {"no table", "2088", true, ":status=200 "},
      {"a table", "3fe11f88", false, ""},
      {"an entry of a table that is not there", "be", false, ""},
      {"entry 0", "80", false, ""},
      {"a text cut off", "400a6375", false, ""},
      {"a number cut off", "ff", false, ""},
      {"a number without end", "ffffffffffff", false, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    fields.clear();
    CHECK(hpack_read(from_hex(row.hex), fields) == row.valid);
    std::string text;
    for (const auto& field : fields) text += field.name + "=" + field.value + " ";
    if (row.valid) CHECK(text == row.fields);
  }
}

TEST_CASE("what is asked") {
  auto check = grpc_check();
  check.grpc_service = "my.Service";
  GrpcDialogue dialogue(check, some_peer());
  std::string_view bytes;
  const std::string opening = dialogue.opening();
  bytes = opening;
  REQUIRE(bytes.starts_with(kHttp2Preface));
  bytes.remove_prefix(kHttp2Preface.size());
  FrameReader reader;
  reader.give(bytes);
  auto next = reader.next();
  REQUIRE(next);
  CHECK(next->type == FrameType::settings);
  CHECK(next->payload.size() == 12);
  next = reader.next();
  REQUIRE(next);
  CHECK(next->type == FrameType::headers);
  CHECK(next->flags == kWhole);
  CHECK(next->stream == 1);
  std::vector<HpackField> fields;
  REQUIRE(hpack_read(next->payload, fields));
  std::string text;
  for (const auto& field : fields) text += field.name + "=" + field.value + " ";
  CHECK(text ==
        ":method=POST :scheme=http :path=/grpc.health.v1.Health/Check :authority=app:50051 "
        "content-type=application/grpc te=trailers user-agent=weir (health check) ");
  next = reader.next();
  REQUIRE(next);
  CHECK(next->type == FrameType::data);
  CHECK(next->flags == kEnd);
  CHECK(next->payload == std::string_view("\0\0\0\0\x0c\x0a\x0amy.Service", 17));
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.too_large());
}

TEST_CASE("answers of gRPC, whatever pieces they come in") {
  struct Row {
    const char* name;
    std::string answer;
    CheckLayer layer;
    std::string detail;
    std::uint32_t good = 0;  // grpc_status=
    bool close = false;
  };
  const std::string padded(
      "\x02"
      "\0\0\0\0\x02\x08\x01"
      "\0\0",
      10);
  const std::string split = block({{":status", "200"}, {"x", "y"}});
  const std::string early = frame(FrameType::headers, kWhole, 1, block({{":status", "103"}}));
  const Row rows[] = {
      {"serving", kSettings + kHead + data(serving(1)) + trailers("0"), CheckLayer::ok,
       "got SERVING"},
      {"serving, in pieces of its own",
       kSettings + kHead + data(serving(1).substr(0, 3)) + data(serving(1).substr(3)) +
           trailers("0"),
       CheckLayer::ok, "got SERVING"},
      {"with padding",
       kSettings + kHead + frame(FrameType::data, frame_flags::padded, 1, padded) + trailers("0"),
       CheckLayer::ok, "got SERVING"},
      {"a head in two frames, after an early one",
       kSettings + early + frame(FrameType::headers, 0, 1, split.substr(0, 4)) +
           frame(FrameType::continuation, kWhole, 1, split.substr(4)) + data(serving(1)) +
           trailers("0"),
       CheckLayer::ok, "got SERVING"},
      {"frames that do not matter",
       kSettings + frame(FrameType::window_update, 0, 0, std::string(4, '\1')) +
           frame(static_cast<FrameType>(77), 0, 1, "?") + kHead +
           frame(FrameType::goaway, 0, 0, std::string("\0\0\0\1\0\0\0\0", 8)) + data(serving(1)) +
           trailers("0"),
       CheckLayer::ok, "got SERVING"},
      {"not serving", kSettings + kHead + data(serving(2)) + trailers("0"), CheckLayer::status,
       "got NOT_SERVING, want SERVING"},
      {"the default of the field", kSettings + kHead + data(serving(0)) + trailers("0"),
       CheckLayer::status, "got UNKNOWN, want SERVING"},
      {"unknown service", kSettings + kHead + trailers("5", "unknown service"), CheckLayer::status,
       "got grpc-status 5 (NOT_FOUND) \"unknown service\", want 0"},
      {"no such call, alone",
       kSettings + frame(FrameType::headers, kWhole | kEnd, 1,
                         block({{":status", "200"}, {"grpc-status", "12"}})),
       CheckLayer::status, "got grpc-status 12 (UNIMPLEMENTED), want 0"},
      {"which may be good", kSettings + kHead + trailers("12"), CheckLayer::ok,
       "got grpc-status 12 (UNIMPLEMENTED)", 12},
      {"another than the good one", kSettings + kHead + trailers("14"), CheckLayer::status,
       "got grpc-status 14 (UNAVAILABLE), want 0 or 12", 12},
      {"serving, where another is good, too", kSettings + kHead + data(serving(1)) + trailers("0"),
       CheckLayer::ok, "got SERVING", 12},
      {"no gRPC behind it",
       kSettings + frame(FrameType::headers, kWhole | kEnd, 1, block({{":status", "404"}})),
       CheckLayer::status, "got HTTP status \"404\", want 200"},
      {"no grpc-status", kSettings + kHead + frame(FrameType::data, kEnd, 1, serving(1)),
       CheckLayer::response, "invalid answer: no grpc-status"},
      {"no message", kSettings + kHead + trailers("0"), CheckLayer::response,
       "invalid answer: no message of its own"},
      {"a message cut off", kSettings + kHead + data("\x01") + trailers("0"), CheckLayer::response,
       "invalid answer: no message of its own"},
      {"HTTP/1", "HTTP/1.1 400 Bad Request\r\n\r\n", CheckLayer::response,
       "invalid answer: the peer speaks HTTP/1, gRPC needs HTTP/2"},
      {"garbage", "SSH-2.0-OpenSSH_9.2\r\n", CheckLayer::response, "invalid answer: not HTTP/2"},
      {"reset", kSettings + frame(FrameType::rst_stream, 0, 1, std::string("\0\0\0\x07", 4)),
       CheckLayer::response, "call refused, error 7"},
      {"goes away", kSettings + frame(FrameType::goaway, 0, 0, std::string("\0\0\0\0\0\0\0\0", 8)),
       CheckLayer::response, "the peer goes away"},
      {"a head that is interrupted", kSettings + frame(FrameType::headers, 0, 1, "") + data("x"),
       CheckLayer::response, "invalid answer: a head that is interrupted"},
      {"a head that is not HPACK", kSettings + frame(FrameType::headers, kWhole, 1, "\xff"),
       CheckLayer::response, "invalid answer: a head that is not HPACK"},
      {"too long a message",
       kSettings + kHead + data(std::string(16000, 'x')) + data(std::string(16000, 'x')) +
           data(std::string(16000, 'x')) + data(std::string(16000, 'x')),
       CheckLayer::response, "invalid answer: the message is too large"},
      {"too long a frame", kSettings + std::string("\0\x50\0\0\0\0\0\0\1", 9), CheckLayer::response,
       "invalid answer: a frame is too large"},
      {"closes", kSettings + kHead, CheckLayer::response, "connection closed inside the answer", 0,
       true},
      {"closes at once", "", CheckLayer::response, "connection closed without an answer", 0, true},
  };
  for (const auto& row : rows) {
    for (const std::size_t piece : {1UL, 7UL, 100000UL}) {
      CAPTURE(row.name);
      CAPTURE(piece);
      auto check = grpc_check();
      check.grpc_status = row.good;
      GrpcDialogue dialogue(check, some_peer());
      std::optional<CheckResult> verdict;
      std::string reply;
      for (std::size_t at = 0; at < row.answer.size() && !verdict; at += piece) {
        verdict = dialogue.take(std::string_view(row.answer).substr(at, piece), reply);
      }
      if (!verdict && row.close) verdict = dialogue.ended();
      REQUIRE(verdict);
      CHECK(std::string(to_string(verdict->layer)) == to_string(row.layer));
      CHECK(verdict->detail == row.detail);
    }
  }
}

TEST_CASE("whatever comes in HTTP/2, the verdict is the same however it is cut into pieces") {
  const std::string whole = kSettings + kHead + frame(FrameType::ping, 0, 0, "12345678") +
                            data(serving(1)) + trailers("0", "fine");
  std::mt19937 random(5);
  const auto check = grpc_check();
  for (int round = 0; round < 5000; ++round) {
    std::string answer = whole;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % answer.size();
      switch (random() % 3) {
        case 0:
          answer[at] = static_cast<char>(random());
          break;
        case 1:
          answer.erase(at, 1 + random() % 3);
          break;
        default:
          answer.insert(at, answer.substr(at, 1 + random() % 20));
          break;
      }
    }
    std::vector<CheckResult> verdicts;
    for (const std::size_t piece : {answer.size(), static_cast<std::size_t>(1 + random() % 9)}) {
      GrpcDialogue dialogue(check, some_peer());
      std::optional<CheckResult> verdict;
      std::string reply;
      for (std::size_t at = 0; at < answer.size() && !verdict; at += piece) {
        verdict = dialogue.take(std::string_view(answer).substr(at, piece), reply);
      }
      verdicts.push_back(verdict ? *verdict : dialogue.ended());
    }
    CAPTURE(round);
    CHECK(verdicts[0].layer == verdicts[1].layer);
    CHECK(verdicts[0].detail == verdicts[1].detail);
  }
}

TEST_CASE("settings and pings are answered") {
  const auto check = grpc_check();
  GrpcDialogue dialogue(check, some_peer());
  std::string reply;
  CHECK_FALSE(dialogue.take(kSettings + frame(FrameType::ping, 0, 0, "12345678") +
                                frame(FrameType::settings, frame_flags::ack, 0, ""),
                            reply));
  CHECK(reply == frame(FrameType::settings, frame_flags::ack, 0, "") +
                     frame(FrameType::ping, frame_flags::ack, 0, "12345678"));
}

}  // namespace weir::probe
