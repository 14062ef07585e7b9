#include <chrono>
#include <random>
#include <utility>

#include "controller/plugin/manifest.hpp"
#include "controller/plugin/output.hpp"
#include "controller/plugin/plan_screen.hpp"
#include "controller/plugin/terminal.hpp"
#include "controller/plugin/verbs.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
constexpr auto kAnswerExpected = 5s;
constexpr auto kTimeout = 30s;

/// Says that nobody answers, once, when it is time to.
class PatientView final : public View {
 public:
  void show(const crd::NodeRemoval& removal, crd::TimePoint now,
            const std::string& trouble) override {
    if (start_ == crd::TimePoint{}) start_ = now;
    if (said_ || now - start_ < kAnswerExpected || removal.status.is_terminal()) return;
    said_ = true;
    note(trouble.empty() ? "No answer yet: is the operator running? kubectl -n noderemoval-system "
                           "get pods"
                         : "No answer yet: " + trouble);
  }

 private:
  crd::TimePoint start_{};
  bool said_ = false;
};

/// Creates the dry run. When the answer is lost it looks whether there is one.
asio::awaitable<controller::Result<boost::json::object>> create(Session& session,
                                                                const std::string& name) {
  using reconcilers::resources::kNodeRemovals;
  auto created = co_await session.client.create({kNodeRemovals, {}},
                                                dry_run_manifest(session.command.removal, name));
  if (created || created.error().kind != controller::ErrorKind::Unknown) co_return created;
  auto found = co_await session.client.get(removal_ref(name));
  co_return found ? std::move(found) : std::move(created);
}

asio::awaitable<void> remove(Session& session, const crd::ObjectMeta& meta) {
  const auto deleted = co_await session.client.delete_object(removal_ref(meta.name), meta.uid);
  if (deleted || deleted.error().kind == controller::ErrorKind::NotFound) co_return;
  note(
      "The dry run " + meta.name + " could not be deleted (" + deleted.error().message +
      "). It touches nothing, and goes by itself a minute after the operator has looked at it; or: "
      "kubectl delete noderemoval " +
      meta.name);
}

}  // namespace

asio::awaitable<int> plan(Session session) {
  // From here on, so that an interrupt leaves nothing behind.
  Interrupts interrupts{co_await asio::this_coro::executor};
  const auto name = dry_run_name(session.command.removal.node, std::random_device{}());
  auto created = co_await create(session, name);
  if (!created) co_return complain(created.error());
  const auto meta = crd::object_meta_from_json(*created);
  PatientView view;
  FollowOptions options{
      .until = [](const crd::NodeRemoval& removal) { return removal.status.is_terminal(); },
      .timeout = kTimeout};
  const auto followed =
      co_await follow(session.client, *std::move(created), std::move(options), view, interrupts);
  co_await remove(session, meta);
  const auto removal = crd::node_removal_from_json(followed.object);
  switch (followed.end) {
    case FollowEnd::Reached:
      break;
    case FollowEnd::Interrupted:
      co_return exit_code_of(interrupts);
    case FollowEnd::Gone:
      co_return complain(ExitCode::Gone, "somebody deleted the dry run " + name);
    case FollowEnd::Failed:
      co_return complain(ExitCode::Error, followed.error);
    case FollowEnd::TimedOut:
      co_return complain(ExitCode::TimedOut,
                         "the operator did not plan within 30 s: is it running? kubectl -n "
                         "noderemoval-system get pods");
  }
  if (session.command.output == OutputFormat::Table) {
    const auto look = look_of_output(session.command.color);
    print(plan_screen(removal, look), look);
  } else {
    print_object(followed.object, session.command.output);
  }
  co_return number(exit_code_of_plan(removal));
}

}  // namespace plugin
