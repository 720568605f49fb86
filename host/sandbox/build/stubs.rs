//! Takes imports out of a core module: each becomes a function of its own.
//!
//! What is not imported cannot be misused, need not be linked, and costs no memory in every process.

use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, HeapType,
    ImportSection, Instruction, Module, RefType, ValType,
};
use wasmparser::{
    CodeSectionReader, CompositeInnerType, ExportSectionReader, FunctionSectionReader, GlobalSectionReader, ImportSectionReader,
    Parser, Payload, TypeRef,
};

/// What takes the place of an import.
#[derive(Clone)]
pub(crate) enum Stub {
    /// Traps.
    Trap,
    /// Returns nothing.
    Nothing,
    /// Calls what somebody puts into a global, which is exported under this name.
    Global(String),
}

/// Replaces every import from a module whose name starts with `wasi:`.
///
/// The C and Rust libraries pull them in, but the guest never calls them. Only the seed of hash maps returns instead of trapping and
/// so gives a seed that is the same in every process: libraries of the guest build maps, and a process that floods its own harms only
/// itself.
pub(crate) fn replace_wasi_imports(module: &[u8]) -> Result<Vec<u8>> {
    let replaced = replace_imports(module, |from, name| match name {
        _ if !from.starts_with("wasi:") => None,
        "insecure-seed" => Some(Stub::Nothing),
        _ => Some(Stub::Trap),
    });
    Ok(replaced?.finish())
}

/// Replaces the imported functions for which there is a stub, by module and name.
pub(crate) fn replace_imports(module: &[u8], stub_of: impl Fn(&str, &str) -> Option<Stub>) -> Result<Module> {
    let mut stubs = Stubs::scan(module, &stub_of)?;
    let mut output = Module::new();
    stubs.parse_core_module(&mut output, Parser::new(0), module).map_err(|error| anyhow!("{error}"))?;
    Ok(output)
}

#[derive(Default)]
struct Stubs {
    /// New index of each function, by its old one.
    indexes: Vec<u32>,
    /// Whether each import is replaced.
    replaced: Vec<bool>,
    /// Each stub with its type and the number of its parameters.
    stubs: Vec<(Stub, u32, u32)>,
    /// How many globals there were.
    globals: u32,
}

impl Stubs {
    fn scan(module: &[u8], stub_of: impl Fn(&str, &str) -> Option<Stub>) -> Result<Self> {
        let mut found = Self::default();
        let mut parameters = Vec::new();
        let mut types = Vec::new();
        let mut defined = 0u32;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        parameters.extend(group?.into_types().map(|of| match of.composite_type.inner {
                            CompositeInnerType::Func(signature) => signature.params().len(),
                            _ => 0,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let stub = match import.ty {
                            TypeRef::Func(type_index) => {
                                let stub = stub_of(import.module, import.name);
                                types.push((stub.clone(), type_index));
                                stub
                            }
                            TypeRef::Global(_) => {
                                found.globals += 1;
                                None
                            }
                            _ => None,
                        };
                        found.replaced.push(stub.is_some());
                    }
                }
                Payload::FunctionSection(section) => defined = section.count(),
                Payload::GlobalSection(section) => found.globals += section.count(),
                _ => {}
            }
        }
        let kept = u32::try_from(types.iter().filter(|(stub, _)| stub.is_none()).count())?;
        let (mut next_kept, mut next_stub) = (0, kept + defined);
        for (stub, type_index) in types {
            if let Some(stub) = stub {
                let parameters = u32::try_from(parameters.get(type_index as usize).copied().unwrap_or(0))?;
                found.stubs.push((stub, type_index, parameters));
                found.indexes.push(next_stub);
                next_stub += 1;
            } else {
                found.indexes.push(next_kept);
                next_kept += 1;
            }
        }
        found.indexes.extend(kept..kept + defined);
        Ok(found)
    }

    /// The stubs that call a global: its name and the type of the function.
    fn of_globals(&self) -> impl Iterator<Item = (&str, u32)> {
        self.stubs.iter().filter_map(|(stub, type_index, _)| match stub {
            Stub::Global(name) => Some((name.as_str(), *type_index)),
            Stub::Trap | Stub::Nothing => None,
        })
    }
}

type Outcome<T> = Result<T, reencode::Error<std::convert::Infallible>>;

impl Reencode for Stubs {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Outcome<u32> {
        self.indexes.get(index as usize).copied().ok_or(reencode::Error::UnexpectedNonCoreModuleSection)
    }

    fn parse_import_section(&mut self, imports: &mut ImportSection, section: ImportSectionReader<'_>) -> Outcome<()> {
        for (number, import) in section.into_imports().enumerate() {
            let import = import?;
            if self.replaced.get(number) != Some(&true) {
                reencode::utils::parse_import(self, imports, import)?;
            }
        }
        Ok(())
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: FunctionSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_function_section(self, functions, section)?;
        for (_, type_index, _) in &self.stubs {
            functions.function(*type_index);
        }
        Ok(())
    }

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: GlobalSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_global_section(self, globals, section)?;
        for (_, type_index) in self.of_globals() {
            let of = HeapType::Concrete(type_index);
            let holds = ValType::Ref(RefType { nullable: true, heap_type: of });
            globals.global(GlobalType { val_type: holds, mutable: true, shared: false }, &ConstExpr::ref_null(of));
        }
        Ok(())
    }

    fn parse_export_section(&mut self, exports: &mut ExportSection, section: ExportSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_export_section(self, exports, section)?;
        for (index, (name, _)) in (self.globals..).zip(self.of_globals()) {
            exports.export(name, ExportKind::Global, index);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_code_section(self, code, section)?;
        let mut global = self.globals;
        for (stub, type_index, parameters) in &self.stubs {
            let mut body = Function::new([]);
            match stub {
                Stub::Nothing => {}
                Stub::Trap => {
                    body.instruction(&Instruction::Unreachable);
                }
                Stub::Global(_) => {
                    for parameter in 0..*parameters {
                        body.instruction(&Instruction::LocalGet(parameter));
                    }
                    body.instruction(&Instruction::GlobalGet(global));
                    body.instruction(&Instruction::ReturnCallRef(*type_index));
                    global += 1;
                }
            }
            body.instruction(&Instruction::End);
            code.function(&body);
        }
        Ok(())
    }
}
