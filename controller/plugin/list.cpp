#include <boost/json/array.hpp>
#include <string>
#include <utility>
#include <vector>

#include "controller/plugin/output.hpp"
#include "controller/plugin/removal_table.hpp"
#include "controller/plugin/terminal.hpp"
#include "controller/plugin/verbs.hpp"
#include "controller/wall_clock.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

namespace asio = boost::asio;

void print_all(std::vector<boost::json::object> items, const Command& command) {
  if (command.output == OutputFormat::Name) {
    for (auto& item : items) print_object(std::move(item), command.output);
    return;
  }
  boost::json::array array;
  for (auto& item : items) {
    if (auto* metadata = item["metadata"].if_object()) metadata->erase("managedFields");
    array.emplace_back(std::move(item));
  }
  print_object({{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(array)}},
               command.output);
}

}  // namespace

asio::awaitable<int> list(Session session) {
  auto found =
      co_await session.client.list({.collection = {reconcilers::resources::kNodeRemovals, {}}});
  if (!found) co_return complain(found.error());
  const auto format = session.command.output;
  if (format != OutputFormat::Table && format != OutputFormat::Wide) {
    print_all(std::move(found->items), session.command);
    co_return 0;
  }
  if (found->items.empty()) {
    note("No NodeRemovals in " + session.cluster);
    co_return 0;
  }
  std::vector<crd::NodeRemoval> removals;
  for (const auto& item : found->items) removals.push_back(crd::node_removal_from_json(item));
  auto look = look_of_output(session.command.color);
  look.width = 0;  // a table that is cut would hide what one looks for
  print(removal_table(removals, controller::wall_clock(), format == OutputFormat::Wide), look);
  co_return 0;
}

}  // namespace plugin
