"""What we ship for Argo CD, run as it does it: Lua 5.1, the object in `obj`, and nothing of the system within reach."""

import json
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "manifests/argocd/noderemoval.dev/NodeRemoval"

# Argo CD's Lua has no os, no io and no way to load code.
DRIVER = """
local script = assert(loadfile(arg[1]))
local function quoted(text) return '"' .. text:gsub('[%c"\\\\]', function(c)
  return string.format('\\\\u%04x', c:byte()) end) .. '"' end
local function to_json(value)
  if type(value) == "table" then
    local parts = {}
    if #value > 0 then
      for _, each in ipairs(value) do parts[#parts + 1] = to_json(each) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, each in pairs(value) do parts[#parts + 1] = quoted(key) .. ":" .. to_json(each) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "string" then return quoted(value) end
  return tostring(value)
end
local write = io.write
os, io, package, require, dofile, loadfile, load, loadstring, debug = nil
obj = %s
write(to_json(script()))
"""


def run(script, thing):
    """What the script of this name returns for this object."""
    driver = DRIVER.replace("%s", _literal(thing))
    done = subprocess.run(["lua5.1", "-", FOLDER / script], input=driver, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _literal(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"[{_literal(key)}]={_literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(_literal(each) for each in value) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nil"
    if isinstance(value, str):
        return '"' + "".join(f"\\{byte:03d}" for byte in value.encode()) + '"'
    return repr(value)
