// As base/asio.cpp, for Asio's part about TLS.
#include <boost/asio/ssl/impl/src.hpp>
