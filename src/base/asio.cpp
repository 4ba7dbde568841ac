// The part of Boost.Asio that needs to be compiled once only (BOOST_ASIO_SEPARATE_COMPILATION): no
// file that includes Asio compiles it again.
#include <boost/asio/impl/src.hpp>
