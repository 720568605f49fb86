//! Lets the guest call the host without a table in between.
//!
//! What the host offers needs the guest's memory and so exists after the guest only. `wit-component` bridges that by an instance with
//! a table of functions, which another instance fills afterwards; in every process they cost pages and a detour on each call. Here
//! the guest holds a global for each function, which that other instance sets.

use std::collections::HashMap;

use anyhow::{Context as _, Result, anyhow, ensure};
use wasm_encoder::reencode::{self, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CodeSection, Component, ComponentAliasSection, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalType, HeapType, ImportSection, InstanceSection, Instruction, Module, ModuleSection, RefType,
    StartSection, TypeSection, ValType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentAliasSectionReader, ExternalKind, FuncType, Instance, InstantiationArgKind,
    Parser, Payload, TypeRef,
};

use crate::stubs::{self, Stub};

/// The modules of a component that `wit-component` makes of one core module, in their order; the last one fills the table.
const GUEST: u32 = 0;
const TABLE: u32 = 1;
/// The name of the table in both modules.
const TABLE_NAME: &str = "$imports";

/// Replaces the table in a component that `wit-component` made.
pub(crate) fn replace_import_table(component: &[u8]) -> Result<Vec<u8>> {
    let mut globals = Globals::scan(component)?;
    let mut output = Component::new();
    globals.parse_component(&mut output, Parser::new(0), component).map_err(|error| anyhow!("{error}"))?;
    Ok(output.finish())
}

/// The name of the global of a function, by the number that it has in the table.
fn name_of(number: u32) -> String {
    format!("host-{number}")
}

#[derive(Default)]
struct Globals {
    guest: Module,
    table: Module,
    filler: Module,
    /// The instance of the guest's module.
    guest_instance: u32,
    /// How many functions the table has.
    count: u32,
    /// How many modules were written.
    modules: u32,
}

impl Globals {
    fn scan(component: &[u8]) -> Result<Self> {
        let mut modules = Vec::new();
        let mut instances: Vec<HashMap<&str, u32>> = Vec::new();
        let (mut table_instance, mut guest_instance) = (None, None);
        // Numbers in the table by core function, and by the names under which the guest imports them.
        let mut numbers = HashMap::new();
        let mut imports: HashMap<(String, String), u32> = HashMap::new();
        let mut functions = 0u32;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ModuleSection { unchecked_range, .. } => {
                    modules.push(component.get(unchecked_range).context("a module ends outside of the component")?);
                }
                Payload::ComponentAliasSection(section) => {
                    for alias in section {
                        if let ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, instance_index, name } = alias? {
                            if Some(instance_index) == table_instance {
                                numbers.insert(functions, name.parse::<u32>()?);
                            }
                            functions += 1;
                        }
                    }
                }
                Payload::ComponentCanonicalSection(section) => {
                    for function in section {
                        functions += u32::from(!matches!(function?, CanonicalFunction::Lift { .. }));
                    }
                }
                Payload::InstanceSection(section) => {
                    for instance in section {
                        let index = u32::try_from(instances.len())?;
                        let mut exports = HashMap::new();
                        match instance? {
                            Instance::FromExports(items) => {
                                for item in items {
                                    if let (ExternalKind::Func, Some(number)) = (item.kind, numbers.get(&item.index)) {
                                        exports.insert(item.name, *number);
                                    }
                                }
                            }
                            Instance::Instantiate { module_index: GUEST, args } => {
                                guest_instance = Some(index);
                                for arg in args {
                                    let InstantiationArgKind::Instance = arg.kind;
                                    for (name, number) in instances.get(arg.index as usize).into_iter().flatten() {
                                        imports.insert((arg.name.to_owned(), (*name).to_owned()), *number);
                                    }
                                }
                            }
                            Instance::Instantiate { module_index, .. } => {
                                if module_index == TABLE {
                                    table_instance = Some(index);
                                }
                            }
                        }
                        instances.push(exports);
                    }
                }
                _ => {}
            }
        }
        let [guest, table, filler] = modules[..] else {
            return Err(anyhow!("expected three modules in the component, found {}", modules.len()));
        };
        ensure!(imports.len() == numbers.len(), "the guest does not import every function of the table once");
        Ok(Self {
            guest: stubs::replace_imports(guest, |from, name| {
                imports.get(&(from.to_owned(), name.to_owned())).map(|number| Stub::Global(name_of(*number)))
            })?,
            table: unreachable_functions(table)?,
            filler: filler_of_globals(filler)?,
            guest_instance: guest_instance.context("the component makes no instance of the guest")?,
            count: u32::try_from(imports.len())?,
            modules: 0,
        })
    }
}

/// One function under the names of all in the table: the component still names them, but nothing imports them.
fn unreachable_functions(table: &[u8]) -> Result<Module> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    for payload in Parser::new(0).parse_all(table) {
        if let Payload::ExportSection(section) = payload? {
            for export in section {
                let export = export?;
                if export.kind == ExternalKind::Func {
                    exports.export(export.name, ExportKind::Func, 0);
                }
            }
        }
    }
    let mut body = Function::new([]);
    body.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&body);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    Ok(module)
}

/// A module that sets the globals of the guest to the functions that are there now.
fn filler_of_globals(filler: &[u8]) -> Result<Module> {
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let mut globals = Vec::new();
    let mut signatures: Vec<FuncType> = Vec::new();
    let mut body = Function::new([]);
    let mut count = 0u32;
    for payload in Parser::new(0).parse_all(filler) {
        match payload? {
            Payload::TypeSection(section) => signatures = section.into_iter_err_on_gc_types().collect::<Result<_, _>>()?,
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(type_index) = import.ty else { continue };
                    ensure!(import.name.parse() == Ok(count), "the functions of the table are out of order");
                    imports.import(import.module, import.name, EntityType::Function(type_index));
                    let holds = ValType::Ref(RefType { nullable: true, heap_type: HeapType::Concrete(type_index) });
                    let global = GlobalType { val_type: holds, mutable: true, shared: false };
                    globals.push((import.module, global));
                    body.instruction(&Instruction::RefFunc(count)).instruction(&Instruction::GlobalSet(count));
                    count += 1;
                }
            }
            _ => {}
        }
    }
    body.instruction(&Instruction::End);
    for signature in &signatures {
        types.ty().func_type(&reencode::RoundtripReencoder.func_type(signature.clone())?);
    }
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(u32::try_from(signatures.len())?);
    let mut elements = ElementSection::new();
    elements.declared(Elements::Functions((0..count).collect::<Vec<_>>().into()));
    let mut code = CodeSection::new();
    code.function(&body);
    for (number, (from, global)) in (0..).zip(globals) {
        imports.import(from, &name_of(number), global);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&StartSection { function_index: count });
    module.section(&elements).section(&code);
    Ok(module)
}

type Outcome<T> = Result<T, reencode::Error<std::convert::Infallible>>;

impl Reencode for Globals {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Globals {
    fn parse_component_submodule(&mut self, component: &mut Component, _parser: Parser, _module: &[u8]) -> Outcome<()> {
        let module = match self.modules {
            GUEST => &self.guest,
            TABLE => &self.table,
            _ => &self.filler,
        };
        component.section(&ModuleSection(module));
        self.modules += 1;
        Ok(())
    }

    /// In place of the table there are the globals, which are the only ones.
    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Outcome<()> {
        for alias in section {
            let alias = alias?;
            if let ComponentAlias::CoreInstanceExport { kind: ExternalKind::Table, name: TABLE_NAME, .. } = alias {
                for number in 0..self.count {
                    let name = name_of(number);
                    let instance = self.guest_instance;
                    aliases.alias(Alias::CoreInstanceExport { instance, kind: ExportKind::Global, name: &name });
                }
            } else {
                aliases.alias(self.component_alias(alias)?);
            }
        }
        Ok(())
    }

    fn parse_instance(&mut self, instances: &mut InstanceSection, instance: Instance<'_>) -> Outcome<()> {
        let Instance::FromExports(exports) = &instance else {
            return component_utils::parse_instance(self, instances, instance);
        };
        let mut items = Vec::new();
        for export in exports {
            if export.name == TABLE_NAME {
                items.extend((0..self.count).map(|number| (name_of(number), ExportKind::Global, number)));
            } else {
                items.push((export.name.to_owned(), self.export_kind(export.kind)?, export.index));
            }
        }
        instances.export_items(items);
        Ok(())
    }
}
