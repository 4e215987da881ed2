"""From types to adapters: NumPy's, torch's, TensorFlow's, registered ones and plugins."""

from __future__ import annotations

import dataclasses
import importlib
import json
import subprocess
import sys
import types
from concurrent.futures import Future
from functools import cache
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from frameworks import KNOWN

from einsum_unified import BackendError, OperandTypeError, clear_cache, einsum, register_backend
from einsum_unified.__main__ import main
from einsum_unified.adapter import Adapter, ArrayAPIAdapter, Backend, Form, dispatch
from einsum_unified.adapter import registry as adapters
from einsum_unified.adapter.dispatch import backend_for, backend_of, describe, installed, load
from einsum_unified.adapter.frameworks import FRAMEWORKS, Framework
from einsum_unified.testing import check_einsum


class Boxed:
    """A small array library of our own: a NumPy array in a box."""

    def __init__(self, values) -> None:
        self.values = np.asarray(values)

    @property
    def shape(self):
        return self.values.shape

    @property
    def dtype(self):
        return self.values.dtype


class SubBoxed(Boxed):
    pass


def adapter_for(cls: type, name: str = "boxed") -> types.SimpleNamespace:
    """NumPy's adapter with a box around every array."""
    numpy = load("numpy")

    def wrapped(function):
        def call(*args, **kwargs):
            plain = [x.values if isinstance(x, Boxed) else x for x in args]
            return cls(function(*plain, **kwargs))

        return call

    adapter = types.SimpleNamespace(**{key: getattr(numpy, key) for key in adapters._members()})
    moves = ("asarray", "cast", "transpose", "reshape", "diagonal", "sum", "dot", "matmul", "multiply",
             "contiguous")  # fmt: skip
    vars(adapter).update({key: wrapped(getattr(numpy, key)) for key in moves})
    adapter.native = lambda terms, output: wrapped(numpy.native(terms, output))
    adapter.name = name
    adapter.form = lambda c: Form.TENSOR if issubclass(c, cls) else None
    adapter.capabilities = type(numpy.capabilities)(arithmetic=numpy.capabilities.arithmetic)
    return adapter


@pytest.fixture
def registry(monkeypatch):
    """A registry that is as it was afterwards."""
    monkeypatch.setattr(adapters, "table", adapters.table)
    yield
    clear_cache()


# --- frameworks that come with the library --------------------------------------------------------


def test_an_operand_goes_to_its_own_framework(framework):
    assert backend_of(type(framework.tensor(np.ones(2)))).name == framework.name


@pytest.mark.parametrize("cls", [np.ndarray, np.float32, np.matrix, np.memmap, np.ma.MaskedArray])
def test_numpys_classes_go_to_numpy(cls: type):
    assert backend_of(cls) is load("numpy")


def test_derived_classes_go_where_their_bases_do(torch, tf):
    class Mine(torch.Tensor):
        pass

    assert backend_of(Mine) is backend_of(torch.nn.Parameter) is load("torch")
    variable = type(tf.Variable(1.0))
    for cls in (variable, tf.IndexedSlices, tf.RaggedTensor, tf.SparseTensor):
        assert backend_of(cls) is load("tensorflow")


def test_torch_function_objects_go_to_torch(torch):
    class Logs:
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return function.__name__

    assert backend_of(Logs) is load("torch")
    assert einsum("i,i->", Logs(), torch.ones(2)) == "einsum"


@pytest.mark.parametrize("cls", [int, str, dict, object, type(None)])
def test_other_classes_have_no_adapter(cls: type):
    assert backend_of(cls) is None


def test_a_limited_number_of_classes_is_remembered(monkeypatch):
    monkeypatch.setattr(adapters, "table", adapters.Table(adapters.BUILTIN))
    for n in range(dispatch._FOUND + 10):
        assert backend_of(type(f"Array{n}", (np.ndarray,), {})) is load("numpy")
    assert len(adapters.table.found) <= dispatch._FOUND


def test_every_adapter_follows_the_protocol(framework):
    adapter = load(framework.name)
    assert isinstance(adapter, Backend)
    assert adapter.name == framework.name
    assert adapter is load(framework.name)


def test_installed_lists_what_can_be_imported(framework, monkeypatch):
    assert framework.name in installed()
    monkeypatch.setitem(FRAMEWORKS, "no_such_framework", Framework("einsum_unified.backends.none", ""))
    assert "no_such_framework" not in installed()


def test_installed_imports_nothing():
    code = (
        "import sys; from einsum_unified.adapter import dispatch; dispatch.installed();"
        "print(sorted({'torch', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Put files into a folder that Python searches first, as it does the working directory."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(name: str, text: str | None = None, einsum: str | None = None):
        """Write a file, or make a folder; its root counts as a framework, whose einsum is given."""
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        if text is None:
            file.mkdir()
        else:
            file.write_text(text)
        root = name.partition("/")[0].removesuffix(".py")
        entry = Framework("einsum_unified.backends.numpy", einsum or f"{root}.einsum", packages=(root,))
        monkeypatch.setitem(FRAMEWORKS, root, entry)
        monkeypatch.setitem(dispatch.PACKAGES, root, root)
        load.cache_clear()
        return root

    yield put
    load.cache_clear()


def test_a_folder_with_the_name_of_a_framework_is_not_one(place):
    place("lonelyfolder/inside")
    place("dottedfolder/inside", einsum="dottedfolder.array.einsum")
    for _ in range(2):
        assert not {"lonelyfolder", "dottedfolder"} & {*installed(), *dispatch.usable()}
        assert importlib.import_module("lonelyfolder")  # Python takes it for a package
    with pytest.raises(BackendError, match=r"'lonelyfolder' is not the library: .* no lonelyfolder\.einsum"):
        load("lonelyfolder")


def test_a_framework_that_is_a_folder_with_modules_is_one(place):
    """As mlx is, which has no __init__.py."""
    place("realfolder/core.py", "def einsum(): ...", einsum="realfolder.core.einsum")
    assert "realfolder" in installed()
    assert "realfolder" in dispatch.usable()


@pytest.mark.parametrize(
    ("file", "text", "einsum"),
    [
        ("namesake_module.py", "x = 1", "namesake_module.einsum"),
        ("namesake_package/__init__.py", "", "namesake_package.array.einsum"),
    ],
)
def test_a_module_without_an_einsum_is_not_the_framework_of_that_name(place, file, text, einsum, tmp_path):
    name = place(file, text, einsum)
    assert name in installed()  # nothing is imported
    assert name not in dispatch.usable()
    with pytest.raises(BackendError) as caught:
        load(name)
    headline, note = str(caught.value).splitlines()
    assert headline == f"the module {name!r} is not the library: it has no {einsum}"
    assert note == f"  rename {tmp_path / file}, or run in another folder"


def test_a_framework_that_fails_to_import_is_broken_not_a_namesake(place):
    place("failing_module.py", "1 / 0")
    place("leaving_module.py", "raise SystemExit(3)")
    assert {"failing_module", "leaving_module"} <= {*dispatch.usable()}


@pytest.mark.usefixtures("registry")
def test_a_class_in_a_module_with_the_name_of_a_framework_goes_by_its_methods(place):
    text = """
import numpy as np
class Array:
    shape, dtype = (2,), np.dtype(float)
    def __array_namespace__(self, api_version=None): return np
"""
    cls = importlib.import_module(place("namesake_classes.py", text)).Array
    assert type(backend_of(cls, cls())) is ArrayAPIAdapter


def test_commands_and_checks_leave_namesakes_out(place, capsys, monkeypatch):
    for name in [name for name in FRAMEWORKS if name != "numpy"]:
        monkeypatch.delitem(FRAMEWORKS, name)
    place("demo_folder/inside")
    place("demo_module.py", "x = 1")
    x = np.ones((2, 2))
    assert [result.framework for result in check_einsum("ij->j", [x]).results] == ["numpy"]
    assert main(["demo"]) == 0
    assert "operations on numpy)" in capsys.readouterr().out
    assert main(["bench", "ij->j", "2x2", "--seconds", "0"]) == 0
    assert "demo_module" not in capsys.readouterr().out
    assert main(["backends", "--json"]) == 0
    found = {library["name"]: library["installed"] for library in json.loads(capsys.readouterr().out)}
    names = ("numpy", "demo_folder", "demo_module")
    assert {name: found[name] for name in names} == dict(zip(names, (True, False, False), strict=True))
    with pytest.raises(BackendError, match="is not the library"):
        check_einsum("ij->j", [x], frameworks=["demo_module"])
    assert main(["conformance", "--backend", "demo_module"]) == 2
    assert "the module 'demo_module' is not the library" in capsys.readouterr().err


# --- several operands -----------------------------------------------------------------------------


def test_all_operands_count_not_only_the_first(framework):
    x = framework.tensor(np.ones(2))
    for operands in ([np.ones(2), x], [x, np.ones(2)], [2.0, np.ones(2), x]):
        assert backend_for([type(y) for y in operands]).name == framework.name


@pytest.mark.parametrize("classes", [[], [int], [float, bool], [np.ndarray, int]])
def test_numbers_and_arrays_alone_go_to_numpy(classes: list):
    assert backend_for(classes) is load("numpy")


def test_two_tensor_frameworks_are_refused_naming_both_operands(torch, tf):
    with pytest.raises(OperandTypeError) as caught:
        einsum("i,i,i->", np.ones(2), torch.ones(2), tf.ones(2))
    assert str(caught.value) == (
        "operand 1 is a torch Tensor but operand 2 a tensorflow EagerTensor: convert one of them"
    )


@pytest.mark.parametrize(
    ("x", "what"),
    [
        ({"a": 1}, "a dict"),
        (None, "a NoneType"),
        ("ab", "a str"),
        (object(), "an object"),
        (Future(), "a concurrent Future"),
    ],
)
def test_an_operand_that_is_not_an_array_is_refused_by_name(x, what: str):
    with pytest.raises(OperandTypeError) as caught:
        einsum("i,i->", np.ones(2), x)
    headline, note = str(caught.value).splitlines()
    assert headline == f"operand 1 is {what}, which is not an array of a known library"
    assert note == (f"  known: {KNOWN}; others can be added with einsum_unified.register_backend")


def test_describe_names_framework_and_class(torch):
    assert describe(torch.ones(1)) == "torch Tensor"
    assert describe(np.ones(1)) == "numpy ndarray"
    assert describe([1]) == "list"


# --- registered adapters --------------------------------------------------------------------------


@pytest.mark.parametrize("key", [Boxed, f"{Boxed.__module__}.Boxed"], ids=["class", "name"])
@pytest.mark.usefixtures("registry")
def test_a_registered_adapter_serves_a_class_and_those_derived_from_it(key):
    with pytest.raises(OperandTypeError, match="Boxed, which is not an array of a known library"):
        einsum("ij,j->i", Boxed(np.ones((2, 3))), Boxed(np.ones(3)))
    register_backend(key, adapter_for(Boxed))
    for cls in (Boxed, SubBoxed):
        result = einsum("ij,j->i", cls(np.ones((2, 3))), np.arange(3.0))
        assert isinstance(result, Boxed)
        assert (result.values == [3, 3]).all()


@pytest.mark.usefixtures("registry")
def test_a_module_with_every_member_is_an_adapter():
    module = types.ModuleType("boxed")
    vars(module).update(vars(adapter_for(Boxed)))
    assert isinstance(module, Backend)
    register_backend(Boxed, module)
    assert backend_of(Boxed) is module
    result = einsum("ij,j->i", Boxed(np.ones((2, 3))), np.arange(3.0))
    assert (result.values == [3, 3]).all()


@pytest.mark.usefixtures("registry")
def test_an_adapter_is_replaced_only_when_asked():
    register_backend(Boxed, adapter_for(Boxed, "first"))
    with pytest.raises(
        BackendError, match=r"Boxed' already has an adapter; pass replace=True to replace it$"
    ):
        register_backend(Boxed, adapter_for(Boxed, "second"))
    assert backend_of(Boxed).name == "first"
    register_backend(Boxed, adapter_for(Boxed, "second"), replace=True)
    assert backend_of(Boxed).name == "second"


@pytest.mark.usefixtures("registry")
def test_a_class_that_is_registered_by_name_has_an_adapter():
    register_backend(f"{Boxed.__module__}.Boxed", adapter_for(Boxed))
    with pytest.raises(BackendError, match="already has an adapter"):
        register_backend(Boxed, adapter_for(Boxed))


@pytest.mark.usefixtures("registry")
def test_a_builtin_class_has_an_adapter():
    with pytest.raises(BackendError, match=r"'numpy.ndarray' already has an adapter"):
        register_backend(np.ndarray, adapter_for(Boxed))


@pytest.mark.usefixtures("registry")
def test_an_adapter_must_have_every_member_of_the_protocol():
    adapter = adapter_for(Boxed)
    del adapter.matmul, adapter.capabilities
    with pytest.raises(BackendError, match=r"Boxed' lacks: capabilities, matmul$"):
        register_backend(Boxed, adapter)
    assert backend_of(Boxed) is None


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("version", [1, 3, "2"])
def test_an_adapter_for_another_version_of_the_protocol_is_refused(version):
    adapter = adapter_for(Boxed)
    adapter.adapter_api = version
    message = f"^the adapter for '.*Boxed' is written for version {version!r} of the protocol, not 2$"
    with pytest.raises(BackendError, match=message):
        register_backend(Boxed, adapter)


class Unwritten(Adapter):
    name = "unwritten"


class Raising(Adapter):
    name = "raising"

    @property
    def capabilities(self):
        raise KeyError("none")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("adapter", "says"),
    [
        (
            Unwritten(),
            "lacks: asarray, cast, dtype_from_name, form, matmul, multiply, reshape, sum, transpose",
        ),
        (Unwritten, "is the class Unwritten: pass an instance of it"),
        (Raising(), "is broken: KeyError('none')"),
    ],
    ids=["unwritten", "class", "raising"],
)
def test_an_adapter_that_is_not_finished_is_refused(adapter, says: str):
    with pytest.raises(BackendError) as caught:
        register_backend(Boxed, adapter)
    assert str(caught.value).endswith(f"Boxed' {says}")
    assert backend_of(Boxed) is None


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("member", "says"), [("capabilities", "wrong type: 3"), ("sum", "cannot be called: sum")]
)
def test_members_of_a_wrong_kind_are_refused(member: str, says: str):
    adapter = adapter_for(Boxed)
    setattr(adapter, member, 3)
    with pytest.raises(BackendError, match=says):
        register_backend(Boxed, adapter)


def test_a_class_that_says_that_it_has_no_namespace_is_unknown():
    cls = type("Opaque", (), {"__array_namespace__": None, "__array_function__": None, "__module__": None})
    with pytest.raises(OperandTypeError, match="which is not an array of a known library"):
        einsum("i->", cls())


@pytest.mark.usefixtures("registry")
def test_registering_forgets_what_was_found_and_what_was_not():
    x = SubBoxed(np.ones((2, 3)))
    for _ in range(2):
        with pytest.raises(OperandTypeError, match="not an array of a known library"):
            einsum("ij->i", x)
    register_backend(Boxed, adapter_for(Boxed, "first"))
    assert isinstance(einsum("ij->i", x), Boxed)
    register_backend(SubBoxed, adapter_for(SubBoxed, "second"))
    assert backend_of(SubBoxed).name == "second"
    assert isinstance(einsum("ij->i", x), SubBoxed)


@pytest.mark.usefixtures("registry")
def test_a_registered_adapter_is_named_among_the_known():
    register_backend(Boxed, adapter_for(Boxed, "zeta"))
    with pytest.raises(OperandTypeError, match=f"known: {KNOWN}, zeta;"):
        einsum("i->", {})


@pytest.mark.usefixtures("registry")
def test_two_frameworks_are_told_apart_also_when_one_is_registered(torch):
    register_backend(Boxed, adapter_for(Boxed))
    with pytest.raises(OperandTypeError, match="operand 0 is a boxed Boxed but operand 1 a torch Tensor"):
        einsum("i,i->", Boxed(np.ones(2)), torch.ones(2))


@pytest.mark.usefixtures("registry")
def test_a_class_that_the_adapter_cannot_use_is_refused():
    adapter = adapter_for(Boxed)
    adapter.form = lambda cls: None
    register_backend(Boxed, adapter)
    with pytest.raises(OperandTypeError, match=r"^operand 0 is a boxed Boxed, which is not a tensor$"):
        einsum("i->", Boxed(np.ones(2)))


# --- plugins --------------------------------------------------------------------------------------


@pytest.fixture
def plugins(registry, monkeypatch):
    """Entry points that the test gives, in place of those installed."""
    monkeypatch.setattr(adapters, "table", adapters.Table(adapters.BUILTIN))

    def use(*points: EntryPoint) -> None:
        monkeypatch.setattr(adapters, "_entry_points", cache(lambda: points))

    return use


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, adapters.GROUP)


@pytest.fixture
def toylib(monkeypatch):
    """A package `toylib.arrays` with a class `Array`, and `toylib.adapter` for it."""
    cls = type("Array", (Boxed,), {"__module__": "toylib.arrays"})
    adapter = adapter_for(cls, "toylib")
    for name, module in (("toylib", types.ModuleType("toylib")), ("toylib.adapter", adapter)):
        monkeypatch.setitem(sys.modules, name, module)
    return cls


def test_a_plugin_is_loaded_for_its_root_package(plugins, toylib):
    plugins(point("other", "no_such_module"), point("toylib", "toylib.adapter"))
    result = einsum("ij->ji", toylib(np.arange(6.0).reshape(2, 3)))
    assert (result.values == np.arange(6.0).reshape(2, 3).T).all()
    assert type(result) is toylib


def test_a_plugin_that_fails_to_load_says_which_and_why(plugins, toylib):
    plugins(point("toylib", "no_such_module"))
    with pytest.raises(
        BackendError, match=r"^the adapter plugin 'toylib' \(no_such_module\) failed to load: Mod"
    ):
        einsum("ij->ji", toylib(np.ones((2, 3))))


def test_a_plugin_that_ends_the_process_when_imported_does_not(plugins, toylib, tmp_path, monkeypatch):
    (tmp_path / "leaving.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    plugins(point("toylib", "leaving"))
    with pytest.raises(BackendError, match=r"failed to load: SystemExit\(3\)"):
        einsum("ij->ji", toylib(np.ones((2, 3))))


def test_a_plugin_that_lacks_a_member_says_which(plugins, toylib):
    del sys.modules["toylib.adapter"].reshape
    plugins(point("toylib", "toylib.adapter"))
    with pytest.raises(
        BackendError, match=r"^the adapter plugin 'toylib' \(toylib.adapter\) lacks: reshape$"
    ):
        einsum("ij->ji", toylib(np.ones((2, 3))))


def test_a_plugin_for_another_version_of_the_protocol_says_which(plugins, toylib):
    sys.modules["toylib.adapter"].adapter_api = 7
    plugins(point("toylib", "toylib.adapter"))
    shown = r"^the adapter plugin 'toylib' \(toylib.adapter\)"
    with pytest.raises(BackendError, match=rf"{shown} is written for version 7 of the protocol, not 2$"):
        einsum("ij->ji", toylib(np.ones((2, 3))))


def test_other_frameworks_go_on_working_beside_a_broken_plugin(plugins, toylib, framework):
    plugins(point("toylib", "no_such_module"))
    x = framework.tensor(np.ones((2, 3)))
    for _ in range(2):
        with pytest.raises(BackendError):
            einsum("ij,ij->i", x, toylib(np.ones((2, 3))))
        assert framework.numpy(einsum("ij->i", x)).tolist() == [3, 3]


def test_a_plugin_is_loaded_once_and_only_for_its_own_arrays(plugins, toylib):
    loads = []

    class Counted(EntryPoint):
        def load(self):
            loads.append(self.name)
            return super().load()

    plugins(Counted("toylib", "toylib.adapter", adapters.GROUP), Counted("other", "other", adapters.GROUP))
    einsum("i->", np.ones(2))
    assert loads == []
    for _ in range(3):
        einsum("ij->ji", toylib(np.ones((2, 3))))
    assert loads == ["toylib"]


# --- messages that help -------------------------------------------------------------------------


def test_the_error_for_some_libraries_says_what_to_pass_instead():
    sparse_matrix = pytest.importorskip("scipy.sparse").eye(3)
    with pytest.raises(OperandTypeError) as caught:
        einsum("ij->ji", sparse_matrix)
    headline, advice, known = str(caught.value).splitlines()
    assert headline == "operand 0 is a scipy dia_matrix, which is not an array of a known library"
    assert advice == '  pip install "einsum-unified[sparse]" and pass sparse.COO(x), or x.toarray()'
    assert known.startswith("  known: ")


def test_an_adapter_whose_library_cannot_be_imported_says_how_to_install_it(monkeypatch):
    nowhere = dataclasses.replace(FRAMEWORKS["jax"], adapter="einsum_unified.backends.no_such_module")
    monkeypatch.setitem(FRAMEWORKS, "jax", nowhere)
    load.cache_clear()
    with pytest.raises(BackendError, match=r"the adapter for jax failed to load: No module named") as caught:
        load("jax")
    load.cache_clear()
    assert str(caught.value).endswith('\n  try: pip install "einsum-unified[jax]"')


def test_plugins_are_named_among_the_known(plugins):
    plugins(point("aardvark", "no_such_module"))
    with pytest.raises(OperandTypeError, match=f"known: aardvark, {KNOWN};"):
        einsum("i->", {})
