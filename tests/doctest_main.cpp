// The entry of every unit test program. SIGPIPE is ignored as in the product (src/main/start.cpp):
// a test's client that writes to a closed connection gets EPIPE and goes on.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return doctest::Context(argc, argv).run();
}
