return { main = print }
