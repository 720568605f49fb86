-- Planets around a sun, and the Mandelbrot set.

local sqrt = math.sqrt

local function bodies()
    return {
        { x = 0, y = 0, z = 0, vx = 0, vy = 0, vz = 0, mass = 39.47 },
        { x = 4.84, y = -1.16, z = -0.1, vx = 0.6, vy = 2.81, vz = -0.02, mass = 0.037 },
        { x = 8.34, y = 4.12, z = -0.4, vx = -1.01, vy = 1.82, vz = 0.008, mass = 0.011 },
        { x = 12.89, y = -15.11, z = -0.22, vx = 1.08, vy = 0.86, vz = -0.01, mass = 0.0017 },
        { x = 15.37, y = -25.91, z = 0.17, vx = 0.97, vy = 0.59, vz = -0.034, mass = 0.002 },
    }
end

local function advance(all, dt)
    local count = #all
    for i = 1, count do
        local a = all[i]
        for j = i + 1, count do
            local b = all[j]
            local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            local squared = dx * dx + dy * dy + dz * dz
            local pull = dt / (squared * sqrt(squared))
            local ma, mb = a.mass * pull, b.mass * pull
            a.vx, a.vy, a.vz = a.vx - dx * mb, a.vy - dy * mb, a.vz - dz * mb
            b.vx, b.vy, b.vz = b.vx + dx * ma, b.vy + dy * ma, b.vz + dz * ma
        end
    end
    for i = 1, count do
        local a = all[i]
        a.x, a.y, a.z = a.x + dt * a.vx, a.y + dt * a.vy, a.z + dt * a.vz
    end
end

local function mandelbrot(size, limit)
    local inside = 0
    for row = 0, size - 1 do
        local ci = 2.0 * row / size - 1.0
        for column = 0, size - 1 do
            local cr = 2.0 * column / size - 1.5
            local zr, zi, step = 0.0, 0.0, 0
            while step < limit and zr * zr + zi * zi < 4.0 do
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                step = step + 1
            end
            if step == limit then
                inside = inside + 1
            end
        end
    end
    return inside
end

local function run()
    local all = bodies()
    for _ = 1, 40000 do
        advance(all, 0.001)
    end
    return string.format("%.6f %d", all[1].x + all[2].y + all[3].z, mandelbrot(160, 100))
end

return { run = run }
