//! Takes the function table out of a core module: an indirect call becomes a call of a function that branches on the index.
//!
//! Every function in a table costs each instance 32 bytes of host memory besides its place in the table, and Lua's libraries are
//! hundreds of them. A branch costs about what the table's checks of bounds, null and type do.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ElementSection, ExportSection, Function, FunctionSection, Instruction, Module, TableSection,
    TypeSection,
};
use wasmparser::{
    CodeSectionReader, ElementItems, ElementKind, ElementSectionReader, Export, FuncType, FunctionSectionReader, Operator,
    Parser, Payload, TableSectionReader, TypeRef, TypeSectionReader, ValType,
};

/// Replaces the table of a module whose table never changes, as compilers of C and Rust make it.
///
/// # Errors
///
/// When code or an export does more with the table than call its functions.
pub(crate) fn replace_function_table(module: &[u8]) -> Result<Vec<u8>> {
    let mut branches = Branches::scan(module)?;
    let mut output = Module::new();
    branches.parse_core_module(&mut output, Parser::new(0), module).map_err(|error| anyhow!("{error}"))?;
    Ok(output.finish())
}

/// A function that takes the arguments of a call and the index, and calls the function of that index.
struct Branch {
    signature: FuncType,
    /// The functions of this signature, by their indexes in the table.
    targets: BTreeMap<u32, u32>,
}

#[derive(Default)]
struct Branches {
    types: Vec<FuncType>,
    functions: u32,
    branches: Vec<Branch>,
}

impl Branches {
    fn scan(module: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        let mut type_of_function = Vec::new();
        let mut table = BTreeMap::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    found.types = section.into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import?.ty {
                            TypeRef::Func(type_index) => type_of_function.push(type_index),
                            TypeRef::Table(_) => bail!("the guest imports a table"),
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for type_index in section {
                        type_of_function.push(type_index?);
                    }
                }
                Payload::ElementSection(section) => table = read_elements(section)?,
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader()? {
                        if let Operator::CallIndirect { type_index, .. } | Operator::ReturnCallIndirect { type_index, .. } =
                            operator?
                        {
                            let signature =
                                found.types.get(type_index as usize).context("a call has a type that does not exist")?.clone();
                            found.branch(&signature);
                        }
                    }
                }
                _ => {}
            }
        }
        found.functions = u32::try_from(type_of_function.len())?;
        for (index, function) in table {
            let signature = type_of_function
                .get(function as usize)
                .and_then(|type_index| found.types.get(*type_index as usize))
                .context("the table of the guest names a function that does not exist")?
                .clone();
            let number = found.branch(&signature);
            found.branches[number].targets.insert(index, function);
        }
        Ok(found)
    }

    /// The number of the branch of a signature; makes one that has no functions when there is none.
    fn branch(&mut self, signature: &FuncType) -> usize {
        self.branches.iter().position(|branch| branch.signature == *signature).unwrap_or_else(|| {
            self.branches.push(Branch { signature: signature.clone(), targets: BTreeMap::new() });
            self.branches.len() - 1
        })
    }

    /// The function that stands for an indirect call of this type.
    fn callee(&self, type_index: u32) -> Outcome<u32> {
        let signature = self.types.get(type_index as usize);
        let number = self.branches.iter().position(|branch| Some(&branch.signature) == signature);
        number.map(|number| self.functions + number as u32).ok_or_else(|| refused("an indirect call of no type"))
    }
}

/// Functions by their indexes in the table.
fn read_elements(section: ElementSectionReader<'_>) -> Result<BTreeMap<u32, u32>> {
    let mut table = BTreeMap::new();
    for element in section {
        let element = element?;
        let (ElementKind::Active { table_index: None | Some(0), offset_expr }, ElementItems::Functions(functions)) =
            (element.kind, element.items)
        else {
            bail!("the guest has a table that is not just a list of functions");
        };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
            bail!("the guest has a table without a fixed start");
        };
        for (index, function) in (value.cast_unsigned()..).zip(functions) {
            ensure!(table.insert(index, function?).is_none(), "the guest has a table with two functions at index {index}");
        }
    }
    Ok(table)
}

impl Branch {
    /// Blocks in each other, one per function: a branch out of the one numbered n goes on with the call of function n.
    fn body(&self) -> Function {
        let mut body = Function::new([]);
        let parameters = self.signature.params().len() as u32;
        let first = self.targets.keys().next().copied().unwrap_or(0);
        let after_last = self.targets.keys().next_back().map_or(first, |last| last + 1);
        let trap = self.targets.len() as u32;
        let mut labels = vec![trap; (after_last - first) as usize];
        for (number, index) in (0..).zip(self.targets.keys()) {
            labels[(index - first) as usize] = number;
        }
        for _ in 0..=trap {
            body.instruction(&Instruction::Block(BlockType::Empty));
        }
        body.instruction(&Instruction::LocalGet(parameters));
        body.instruction(&Instruction::I32Const(first.cast_signed()));
        body.instruction(&Instruction::I32Sub);
        body.instruction(&Instruction::BrTable(labels.into(), trap));
        body.instruction(&Instruction::End);
        for function in self.targets.values() {
            for parameter in 0..parameters {
                body.instruction(&Instruction::LocalGet(parameter));
            }
            // A tail call is a jump: no frame, and the stack is as deep as it was with a table.
            body.instruction(&Instruction::ReturnCall(*function));
            body.instruction(&Instruction::End);
        }
        body.instruction(&Instruction::Unreachable);
        body.instruction(&Instruction::End);
        body
    }
}

type Outcome<T> = Result<T, reencode::Error<String>>;

fn refused(what: &str) -> reencode::Error<String> {
    reencode::Error::UserError(format!("the guest has {what}"))
}

impl Reencode for Branches {
    type Error = String;

    /// For whatever uses a table in another way than the calls below.
    fn table_index(&mut self, _table: u32) -> Outcome<u32> {
        Err(refused("code or an export that uses its table as a value"))
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Outcome<Instruction<'a>> {
        match operator {
            Operator::CallIndirect { type_index, .. } => Ok(Instruction::Call(self.callee(type_index)?)),
            Operator::ReturnCallIndirect { type_index, .. } => Ok(Instruction::ReturnCall(self.callee(type_index)?)),
            operator => reencode::utils::instruction(self, operator),
        }
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: TypeSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_type_section(self, types, section)?;
        for number in 0..self.branches.len() {
            let signature = &self.branches[number].signature;
            let parameters = signature.params().iter().copied().chain([ValType::I32]);
            let signature = FuncType::new(parameters, signature.results().iter().copied());
            types.ty().func_type(&self.func_type(signature)?);
        }
        Ok(())
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: FunctionSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_function_section(self, functions, section)?;
        for number in 0..self.branches.len() {
            functions.function((self.types.len() + number) as u32);
        }
        Ok(())
    }

    fn parse_table_section(&mut self, _tables: &mut TableSection, _section: TableSectionReader<'_>) -> Outcome<()> {
        Ok(())
    }

    fn parse_element_section(&mut self, _elements: &mut ElementSection, _section: ElementSectionReader<'_>) -> Outcome<()> {
        Ok(())
    }

    /// Rust exports whatever C may call by name, and what is exported counts like what stands in a table.
    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Outcome<()> {
        if export.name.starts_with("moonlet_") { Ok(()) } else { reencode::utils::parse_export(self, exports, export) }
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_code_section(self, code, section)?;
        for branch in &self.branches {
            code.function(&branch.body());
        }
        Ok(())
    }
}
