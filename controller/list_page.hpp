#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "controller/kube_client.hpp"

namespace controller {

/// Appends one page of a list to `list` and returns the token for the next page, "" after the last.
/// Fails with a sentence, and appends nothing, when the page is not a list of `kind`, has no items
/// (missing and null are not the same as empty), no resourceVersion, or is of another snapshot than
/// the pages before.
std::expected<std::string, std::string> append_page(std::string_view kind, boost::json::object page,
                                                    List& list);

}  // namespace controller
