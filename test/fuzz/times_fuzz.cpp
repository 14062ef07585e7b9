// A line of text, read as a time, a Date header and an address.
#include <string>

#include "controller/http_date.hpp"
#include "controller/listen_address.hpp"
#include "crd/time.hpp"
#include "test/fuzz/fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto time = crd::parse_rfc3339(text)) {
    fuzz::require(crd::parse_rfc3339(crd::to_rfc3339_milli(*time)) == time,
                  "a time is read back as it was written");
  }
  controller::parse_http_date(text);
  if (const auto address = controller::parse_listen_address(text)) {
    fuzz::require(controller::parse_listen_address(address->str()) == address,
                  "an address is read back as it was written");
  }
  return 0;
}
